"""The commands of `evalhub`, one module each. They speak only the API."""
