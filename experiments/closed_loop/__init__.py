"""The joined engine in closed loop: what each part adds, and that none hurts where its effect is absent."""
