"""Why a case does not go on: one sentence for each, and the causes ranked over the caseload. Decides nothing itself."""
