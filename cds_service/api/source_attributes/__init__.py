"""What stands behind the decision support, as 45 CFR 170.315(b)(11)(iv) lists it, open to everybody."""
