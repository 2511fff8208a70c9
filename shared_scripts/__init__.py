"""What the playground's projects share; see each module's docstring. Importing the package imports nothing else."""
