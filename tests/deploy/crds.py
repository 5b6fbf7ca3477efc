"""JSON schemas of the custom resources we use, with the fields we use and no others: an unknown field is an error.

Names, types and choices are those of the custom resource definitions of KEDA, Gateway API, Envoy Gateway, the
Prometheus operator, the inference extension and cert-manager, as they were in August 2026.
"""

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
PORT: Schema = {"type": "integer", "minimum": 1, "maximum": 65_535}
COUNT: Schema = {"type": "integer", "minimum": 0}
# Gateway API's durations: up to four numbers with units, none of them a fraction.
DURATION: Schema = {"type": "string", "pattern": r"^([0-9]{1,5}(h|m|s|ms)){1,4}$"}
PROMETHEUS_DURATION: Schema = {
    "type": "string",
    "pattern": r"^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$",
}
LABELS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}


def one_of(*choices: str) -> Schema:
    return {"enum": list(choices)}


def record(required: str = "", **fields: Schema) -> Schema:
    """An object with these fields; those named in `required`, separated by spaces, must be there."""
    return {"type": "object", "properties": fields, "required": required.split(), "additionalProperties": False}


def many(item: Schema) -> Schema:
    return {"type": "array", "items": item, "minItems": 1}


SELECTOR = record(
    matchLabels=LABELS,
    matchExpressions=many(
        record("key operator", key=TEXT, operator=one_of("In", "NotIn", "Exists", "DoesNotExist"), values=many(TEXT))
    ),
)
BACKENDS = many(record("name port", group=TEXT, kind=TEXT, name=TEXT, port=PORT))
PARENTS = many(record("name", name=TEXT, sectionName=TEXT))
TARGETS = many(record("group kind name", group=TEXT, kind=TEXT, name=TEXT))

SCALING_POLICIES = many(
    record("type value periodSeconds", type=one_of("Pods", "Percent"), value=COUNT, periodSeconds=COUNT)
)
SCALING = record(stabilizationWindowSeconds=COUNT, policies=SCALING_POLICIES)
TRIGGER = record(
    "type metadata",
    type=one_of("prometheus"),
    name=TEXT,
    metricType=one_of("AverageValue", "Value"),
    metadata=record(
        "serverAddress query threshold",
        serverAddress=TEXT,
        query=TEXT,
        threshold=TEXT,
        ignoreNullValues=one_of("true", "false"),
    ),
)
SCALED_OBJECT = record(
    "scaleTargetRef triggers",
    scaleTargetRef=record("name", apiVersion=TEXT, kind=TEXT, name=TEXT),
    minReplicaCount=COUNT,
    maxReplicaCount=COUNT,
    pollingInterval=COUNT,
    fallback=record(
        "failureThreshold replicas",
        failureThreshold=COUNT,
        replicas=COUNT,
        behavior=one_of("static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower"),
    ),
    advanced=record(horizontalPodAutoscalerConfig=record(behavior=record(scaleUp=SCALING, scaleDown=SCALING))),
    triggers=many(TRIGGER),
)
LISTENER = record(
    "name port protocol",
    name=TEXT,
    hostname=TEXT,
    port=PORT,
    protocol=one_of("HTTP", "HTTPS", "TLS", "TCP", "UDP"),
    tls=record(mode=one_of("Terminate", "Passthrough"), certificateRefs=many(record("name", name=TEXT))),
    allowedRoutes=record(namespaces=record("from", **{"from": one_of("All", "Selector", "Same", "None")})),
)
GRPC_ROUTE = record(
    parentRefs=PARENTS,
    rules=many(
        record(matches=many(record(method=record(service=TEXT, method=TEXT))), backendRefs=BACKENDS),
    ),
)
HTTP_PATH = record("type value", type=one_of("Exact", "PathPrefix", "RegularExpression"), value=TEXT)
HTTP_ROUTE = record(
    parentRefs=PARENTS,
    rules=many(
        record(
            matches=many(record(path=HTTP_PATH)),
            backendRefs=BACKENDS,
            timeouts=record(request=DURATION, backendRequest=DURATION),
        )
    ),
)
BACKEND_TRAFFIC_POLICY = record(
    targetRefs=TARGETS,
    loadBalancer=record("type", type=one_of("ConsistentHash", "LeastRequest", "Random", "RoundRobin")),
    timeout=record(http=record(requestTimeout=DURATION, streamIdleTimeout=DURATION, connectionIdleTimeout=DURATION)),
    tcpKeepalive=record(probes=COUNT, idleTime=DURATION, interval=DURATION),
)
POD_MONITOR = record(
    "selector",
    selector=SELECTOR,
    podMetricsEndpoints=many(record(port=TEXT, path=TEXT, interval=PROMETHEUS_DURATION)),
)
RULE = record(
    "expr", alert=TEXT, record=TEXT, expr=TEXT, **{"for": PROMETHEUS_DURATION}, labels=LABELS, annotations=LABELS
)
PROMETHEUS_RULE = record(groups=many(record("name", name=TEXT, interval=PROMETHEUS_DURATION, rules=many(RULE))))
INFERENCE_POOL = record(
    "selector targetPorts endpointPickerRef",
    selector=record("matchLabels", matchLabels=LABELS),
    targetPorts=many(record("number", number=PORT)),
    appProtocol=one_of("http", "kubernetes.io/h2c"),
    endpointPickerRef=record(
        "name port", name=TEXT, port=record("number", number=PORT), failureMode=one_of("FailOpen", "FailClose")
    ),
)
# Go's durations, in the hours that cert-manager writes.
HOURS: Schema = {"type": "string", "pattern": r"^[1-9][0-9]*h$"}
PRIVATE_KEY = record(
    algorithm=one_of("RSA", "ECDSA", "Ed25519"),
    size={"enum": [256, 384, 521]},
    rotationPolicy=one_of("Always", "Never"),
)
CERTIFICATE = record(
    "secretName issuerRef",
    secretName=TEXT,
    issuerRef=record("name", group=TEXT, kind=one_of("Issuer", "ClusterIssuer"), name=TEXT),
    commonName={"type": "string", "maxLength": 64},
    dnsNames=many(TEXT),
    isCA={"type": "boolean"},
    duration=HOURS,
    renewBefore=HOURS,
    privateKey=PRIVATE_KEY,
    usages=many(one_of("digital signature", "key encipherment", "cert sign", "server auth", "client auth")),
)

SPECS = {
    ("keda.sh/v1alpha1", "ScaledObject"): SCALED_OBJECT,
    ("gateway.networking.k8s.io/v1", "Gateway"): record(
        "gatewayClassName listeners", gatewayClassName=TEXT, listeners=many(LISTENER)
    ),
    ("gateway.networking.k8s.io/v1", "GRPCRoute"): GRPC_ROUTE,
    ("gateway.networking.k8s.io/v1", "HTTPRoute"): HTTP_ROUTE,
    ("gateway.envoyproxy.io/v1alpha1", "BackendTrafficPolicy"): BACKEND_TRAFFIC_POLICY,
    ("monitoring.coreos.com/v1", "PodMonitor"): POD_MONITOR,
    ("monitoring.coreos.com/v1", "PrometheusRule"): PROMETHEUS_RULE,
    ("inference.networking.k8s.io/v1", "InferencePool"): INFERENCE_POOL,
    ("cert-manager.io/v1", "Certificate"): CERTIFICATE,
    ("cert-manager.io/v1", "Issuer"): record(selfSigned=record(), ca=record("secretName", secretName=TEXT)),
}


def schema_of(api_version: str, kind: str) -> Schema | None:
    """The schema of a whole resource; None where it is none of ours."""
    spec = SPECS.get((api_version, kind))
    return spec and record(
        "apiVersion kind metadata spec", apiVersion=TEXT, kind=TEXT, metadata={"type": "object"}, spec=spec
    )
