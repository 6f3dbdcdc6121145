"""Into AutoGPT and out again: install the blocks there, and prove that they will load, before a server is started.

| to find out | read |
|---|---|
| where a platform keeps its blocks | `layout` |
| which of our files it gets | `contents` |
| what is installed, and whether it was edited | `installation`, `stamp` |
| how files are put in place, replaced and removed | `install`, `swap` |
| what would keep the server from starting | `verify`, and the rules: `module_`, `class_`, `field_`, `version_rules` |
| how source is read, never imported | `source`, `block_classes` |
| how the blocks are tried under the platform's Python | `trial`, and `real_check`, which runs there |
"""
