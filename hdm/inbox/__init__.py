"""New images: what lies in the inbox, what fits the line, taking it in."""
