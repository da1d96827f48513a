"""What hosts without trio need: trio in a thread of its own, and the ways there and back."""
