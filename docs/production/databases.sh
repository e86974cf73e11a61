#!/bin/sh
# Run once by the image of PostgreSQL, when its volume is empty: a user and a database each.
set -eu
for name in prefect mlflow; do
    case $name in
        prefect) password=$PREFECT_DB_PASSWORD ;;
        mlflow) password=$MLFLOW_DB_PASSWORD ;;
    esac
    psql -v ON_ERROR_STOP=1 -v name="$name" -v password="$password" --username postgres <<-'SQL'
		CREATE ROLE :"name" LOGIN PASSWORD :'password';
		CREATE DATABASE :"name" OWNER :"name";
	SQL
done
