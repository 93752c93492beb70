"""Whatever comes in: properties of claims, winners, dates, text and bitmaps."""
