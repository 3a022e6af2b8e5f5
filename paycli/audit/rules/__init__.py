"""The security rules: one small cfn-lint rule class each."""
