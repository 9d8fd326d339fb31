# SPDX-License-Identifier: AGPL-3.0-or-later
"""The coordinator's OpenAPI document, and answers against it."""
import json

import jsonschema

from cluster import fail


class Document:
    def __init__(self, api):
        self.document = api.get("openapi.json")
        self.seen = set()

    def schema(self, method, path, status, content):
        responses = self.document["paths"][path][method.lower()]["responses"]
        answer = responses.get(str(status)) or responses["default"]
        return {**answer["content"][content]["schema"], "components": self.document["components"]}

    def check(self, api, method, path, where="", body=None, status=200):
        """path as the document has it; where: the same with its parts filled in, and a query."""
        connection = api.connect()
        connection.request(method, "/api/v1" + (where or path), body)
        answer = connection.getresponse()
        data = json.loads(answer.read())
        connection.close()
        if answer.status != status:
            fail(f"{method} {where or path}: {answer.status}, expected {status}: {data}")
        self.validate(data, self.schema(method, path, status, answer.headers["Content-Type"].split(";")[0]), f"{method} {where or path}")
        self.seen.add((method, path))
        return data

    def validate(self, data, schema, what):
        try:
            jsonschema.Draft202012Validator({**schema, "components": self.document["components"]}).validate(data)
        except jsonschema.ValidationError as why:
            fail(f"{what}: {why.message} at {list(why.absolute_path)}")
