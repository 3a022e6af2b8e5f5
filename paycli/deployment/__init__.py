"""A template becomes a stack on AWS: package, upload, plan, execute, follow, tear down."""
