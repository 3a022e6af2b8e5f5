"""What one does to a running stack."""
