"""Organisations (tenants) and the outside parties their people work with."""
