"""The project as DVC sees it: its graph, its runs, its revisions. The only room that imports `dvc`."""
