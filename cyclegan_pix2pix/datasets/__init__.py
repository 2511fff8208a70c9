"""Where the data sets go, and the tools that make or fetch them."""
