"""The rows of bench: each thing, and what it is measured against."""
