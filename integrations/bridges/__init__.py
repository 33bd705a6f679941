"""Bridges: a referral as another system wants it, by a mapping file. They send nothing themselves."""
