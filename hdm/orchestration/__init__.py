"""DVC as a child process, its lock, data versions, prefect.yaml and the Prefect server."""
