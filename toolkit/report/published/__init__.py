"""The report on a table of published results, in the style of the ordinary one."""
