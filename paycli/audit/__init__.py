"""The audit: what a template allows, exposes and keeps, and what the rules say of it.

A template's text becomes a `Template`; from that come findings, access, surface and data; together they are a
`Report`, which is shown as text, Markdown, SARIF or JSON. Nothing here calls AWS.
"""
