"""What the detectors of the formats share: an archive's folders, parts and words."""
