"""HTTP without a domain: faces, gate, forms, errors, headers."""
