"""What people say of pictures: false alarms and confirmed defects, checked before they are kept."""
