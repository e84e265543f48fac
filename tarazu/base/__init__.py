"""What all other packages use: errors, dtypes, devices, nested containers, settings. It imports none of them."""
