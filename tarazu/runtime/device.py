"""Where tensors live, for those who import from `runtime`; the devices themselves are in `base`."""

from tarazu.base.device import CPU, Device, device, devices

__all__ = ["CPU", "Device", "device", "devices"]
