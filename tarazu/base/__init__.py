"""What all other packages use; it imports none of them.

errors (the classes), messages (phrases in them), checks and spelling (of arguments and names); hints (for names that
are not there); dtypes; device (devices, meshes, layouts); pytree (nested containers); state_dicts (the check of a saved
state); processes (which process this is); settings (TARAZU_LOG); extras (packages that only some features need);
version; files (atomic writes, checks of what is read); bounded/ (JSON within bounds); html (tables in notebooks);
formulas/ (that all backends share).
"""
