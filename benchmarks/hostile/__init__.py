"""Pictures that no inspector would judge, and what a detector says of them."""
