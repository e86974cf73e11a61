"""MLflow: store, runs, ledger, logged model, gate, promotion, rollback, retention."""
