"""Pathways: from a file, through its checks, to the compiled and published version that cases run on."""
