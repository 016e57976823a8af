"""Readers in the plural: one owner thread each, hot-plug, SAM slots."""
