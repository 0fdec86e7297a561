"""Why two files are not the same: from their bytes inwards to the cell. Answers are records."""
