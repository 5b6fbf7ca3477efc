"""The ways in: each door translates its wire to a request, and what is heard back to its wire. Nothing else."""
