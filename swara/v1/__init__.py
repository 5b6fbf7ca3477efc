"""Generated from protos/swara/v1 by `make protos`; the only hand-written line here is this one."""
