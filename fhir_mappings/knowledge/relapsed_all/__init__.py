"""Knowledge of acute lymphoblastic leukaemia: data files, and the criteria as short formulas."""
