"""Work on many items: the leased job behind bulk actions, restores and changes of schemas."""
