"""The promises of the design under every fault that can be produced."""
