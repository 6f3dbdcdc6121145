"""What benchmarks/gateway.py and gateway_soak.py stand on: an upstream, a load generator, servers to measure."""
