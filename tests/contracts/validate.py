"""Validates documents: reads {"schema": .., "documents": [..]} and prints a JSON list of what is wrong with each, null where nothing is."""

import json
import sys

import jsonschema_rs

request = json.load(sys.stdin)
jsonschema_rs.meta.validate(request["schema"])
validator = jsonschema_rs.validator_for(request["schema"], validate_formats=True)


def complaint(document):
    error = next(validator.iter_errors(document), None)
    return error and f"{'/'.join(map(str, error.instance_path))}: {error.message}"


json.dump([complaint(document) for document in request["documents"]], sys.stdout)
