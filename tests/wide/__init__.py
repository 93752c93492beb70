"""Many machines: what docker-compose.yaml says, checked as a file and run as processes."""
