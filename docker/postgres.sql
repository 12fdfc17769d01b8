-- PostgreSQL's image runs this once, on an empty volume, and makes the database `mlflow` itself.
CREATE DATABASE prefect;
