"""Both vendors' APIs as real HTTP servers, for trying, testing and benchmarking.

4HSE lives under `/4hse`, Ditio under `/ditio`, the control API under `/control` of one port. State
is in memory and comes from a generator that is deterministic in (certificates, seed, today).
`python -m certrecon_sandbox --help` starts it; `certrecon_sandbox.server.SandboxServer` runs it
inside a test.
"""
