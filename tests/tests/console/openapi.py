"""Checks an OpenAPI document, and answers against it: openapi.py DOCUMENT ANSWERS."""

import json
import sys

from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

document = json.load(open(sys.argv[1]))
answers = json.load(open(sys.argv[2]))
validate(document)

operations = {(path, method) for path, item in document["paths"].items() for method in item}
tried = set()
for answer in answers:
    key = (answer["path"], answer["method"])
    tried.add(key)
    responses = document["paths"][answer["path"]][answer["method"]]["responses"]
    status = str(answer["status"])
    response = responses.get(status) or responses[status[0] + "XX"]
    schema = {**response["content"][answer["media"].split(";")[0]]["schema"], "components": document["components"]}
    errors = list(Draft202012Validator(schema).iter_errors(answer["body"]))
    assert not errors, (key, status, errors[:3])
    # A schema that takes anything would say nothing.
    assert list(Draft202012Validator(schema).iter_errors({})), (key, "takes an empty object")
assert tried == operations, operations - tried
assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
