"""What each canonical operation means to the abstract walk; one function per operation, found by grep."""
