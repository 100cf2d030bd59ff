"""Lints and renders the Helm chart with Helm's own library, and validates what comes out against the schemas of Kubernetes.

Arguments: the chart, then a JSON object of values. Prints a JSON list of the rendered objects; exits with 1 and says why if anything is wrong.
"""

import json
import sys

import kubernetes_validate
import yaml
from helm_python.chart import Chart, lint

# The oldest that the chart says it runs on, and the newest that the schemas know.
VERSIONS = ["1.27", kubernetes_validate.latest_version()]

# Kinds that are not Kubernetes' own have no schema there; tests/tests/deploy/operator.rs has that of the operator.
FOREIGN = {"ServiceMonitor"}

path, values = sys.argv[1], json.loads(sys.argv[2])
wrong = []

report = lint(path, values, strict=True, kube_version="v1.27.0")
# 1 is information: that there is no icon.
wrong += [message for message in report["messages"] if message["severity"] > 1] + report["errors"]

objects = []
if not wrong:
    with Chart.load(path) as chart:
        chart.validate_schema(values)
        rendered = chart.render(values, name="release", namespace="space")
    texts = [text for name, text in rendered.items() if name.endswith(".yaml")]
    objects = [document for text in texts for document in yaml.safe_load_all(text) if document]
for document in objects:
    for version in VERSIONS if document["kind"] not in FOREIGN else []:
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            wrong.append(f"{document['kind']}, Kubernetes {version}: {error}")

if wrong:
    sys.exit("\n".join(str(what) for what in wrong))
print(json.dumps(objects))
