"""Checks deploy/kubernetes and the compose files: schemas, and the names that must agree across files.

    check_manifests.py SETTINGS

SETTINGS is a file with the environment variables that the program knows, one a line.
"""

import json
import sys
from pathlib import Path

import kubernetes_validate
import yaml

# The oldest and newest supported versions of Kubernetes; schemas of both are installed.
KUBERNETES = ["1.25", "1.37"]
# How long a graceful stop of the service takes at most, in seconds.
STOP_SECONDS = 30
COMPOSITIONS = [
    ["compose.yaml"],
    ["compose.yaml", "deploy/compose/rabbitmq.yaml"],
    ["deploy/compose/tenants.yaml"],
]

errors = []


def require(condition, place, message):
    if not condition:
        errors.append(f"{place}: {message}")


def load(path):
    return [document for document in yaml.safe_load_all(path.read_text()) if document is not None]


def resources_of(folder):
    """Returns the resources that a kustomization names, each with the file that it is from."""
    path = folder / "kustomization.yaml"
    [kustomization] = load(path)
    unknown = set(kustomization) - {"apiVersion", "kind", "resources", "images"}
    require(not unknown, path, f"this check does not know {', '.join(sorted(unknown))}")
    found = []
    for name in kustomization["resources"]:
        target = folder / name
        found += resources_of(target) if target.is_dir() else [(target, resource) for resource in load(target)]
    unnamed = {file.name for file in folder.glob("*.yaml")} - {path.name, *kustomization["resources"]}
    require(not unnamed, path, f"does not name {', '.join(sorted(unnamed))}")
    return found


def check_kustomization(folder, settings, paths):
    resources = resources_of(folder)
    for path, resource in resources:
        for version in KUBERNETES:
            try:
                kubernetes_validate.validate(resource, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                require(False, path, f"Kubernetes {version}: {'.'.join(map(str, error.path))}: {error.message}")
    workloads = [(path, one) for path, one in resources if one["kind"] in ("Deployment", "StatefulSet")]
    accounts = {one["metadata"]["name"] for _, one in resources if one["kind"] == "ServiceAccount"}
    services = {one["metadata"]["name"] for _, one in resources if one["kind"] == "Service"}
    for path, workload in workloads:
        check_workload(path, workload, accounts, services, settings, paths)
    for path, resource in resources:
        check_selector(path, resource, [workload for _, workload in workloads])
    return resources


def check_workload(path, workload, accounts, services, settings, paths):
    spec, pod = workload["spec"], workload["spec"]["template"]["spec"]
    labels = workload["spec"]["template"]["metadata"]["labels"]
    require(spec["selector"]["matchLabels"].items() <= labels.items(), path, "the selector does not match the pods")
    require(pod["serviceAccountName"] in accounts, path, "the service account does not exist")
    require(pod["securityContext"]["runAsNonRoot"], path, "runs as root")
    require(pod["enableServiceLinks"] is False, path, "variables of other services look like settings")
    if workload["kind"] == "StatefulSet":
        require(spec["serviceName"] in services, path, "serviceName is no service")
        require(spec["replicas"] == 1, path, "SQLite has one server")
    volumes = {one["name"] for one in pod["volumes"]}
    volumes |= {one["metadata"]["name"] for one in spec.get("volumeClaimTemplates", [])}
    mounted = set()
    for container in pod.get("initContainers", []) + pod["containers"]:
        mounted |= {mount["name"] for mount in container["volumeMounts"]}
        security = container["securityContext"]
        require(security["readOnlyRootFilesystem"], path, "the root file system can be written")
        require(not security["allowPrivilegeEscalation"], path, "privileges can be gained")
        require(security["capabilities"]["drop"] == ["ALL"], path, "capabilities are left")
        for variable in container.get("env", []):
            require(variable["name"] in settings, path, f"the program has no setting {variable['name']}")
    require(mounted == volumes, path, f"volumes {sorted(volumes)}, but mounts of {sorted(mounted)}")
    for container in pod["containers"]:
        check_probes(path, container, pod["terminationGracePeriodSeconds"], paths)


def check_probes(path, container, grace, paths):
    ports = {port["name"] for port in container["ports"]}
    numbers = {port["containerPort"] for port in container["ports"]}
    for variable in container["env"]:
        if variable["name"].endswith("_ADDRESS"):
            number = int(variable["value"].rpartition(":")[2])
            require(number in numbers, path, f"{variable['name']} is no port of the container")
    for probe, expected in (("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
        get = container[probe]["httpGet"]
        require(get["path"] == expected and get["path"] in paths, path, f"{probe} requests {get['path']}")
        require(get["port"] in ports, path, f"{probe} has no port {get['port']}")
    pause = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    require(grace >= pause + STOP_SECONDS, path, f"a stop may take {pause + STOP_SECONDS} s, but has {grace}")


def check_selector(path, resource, workloads):
    """Checks that what selects pods selects those of a workload, by ports that these have."""
    kind, spec = resource["kind"], resource.get("spec", {})
    selector = {
        "Service": lambda: spec["selector"],
        "NetworkPolicy": lambda: spec["podSelector"]["matchLabels"],
        "PodDisruptionBudget": lambda: spec["selector"]["matchLabels"],
    }.get(kind)
    if selector is None:
        return
    selected = [
        workload
        for workload in workloads
        if selector().items() <= workload["spec"]["template"]["metadata"]["labels"].items()
    ]
    require(selected, path, "selects no pods")
    for workload in selected:
        containers = workload["spec"]["template"]["spec"]["containers"]
        ports = {port["name"] for container in containers for port in container["ports"]}
        wanted = [port["targetPort"] for port in spec["ports"]] if kind == "Service" else []
        wanted += [port["port"] for rule in spec.get("ingress", []) for port in rule["ports"]]
        require(set(wanted) <= ports, path, f"the pods have no port {set(wanted) - ports}")
        if kind == "PodDisruptionBudget":
            require(spec["minAvailable"] < workload["spec"]["replicas"], path, "no replica may ever be evicted")


def merge(base, overlay):
    """Merges two compose files as far as the checks need it: mappings by key, lists one after the other."""
    if isinstance(base, dict) and isinstance(overlay, dict):
        return {key: merge(base.get(key), overlay.get(key)) for key in base | overlay}
    if isinstance(base, list) and isinstance(overlay, list):
        return base + overlay
    return base if overlay is None else overlay


def check_composition(files, settings):
    place, composition = " + ".join(files), {}
    for file in files:
        [document] = load(Path(file))
        composition = merge(composition, document)
    services = composition["services"]
    for name, service in services.items():
        where = f"{place}: {name}"
        for other in service.get("depends_on", {}):
            require(other in services, where, f"depends on {other}, which is no service")
        check_volumes(where, service, composition, Path(files[-1]).parent)
        for port in service.get("ports", []):
            require(port.startswith("127.0.0.1:"), where, f"port {port} is published beyond loopback")
        require("mem_limit" in service and "pids_limit" in service, where, "has no limits")
        require(service["cap_drop"] == ["ALL"], where, "has capabilities")
        if "build" in service:
            unknown = set(service["environment"]) - settings
            require(not unknown, where, f"the program has no setting {', '.join(sorted(unknown))}")
            require(service["read_only"], where, "the root file system can be written")


def check_volumes(where, service, composition, folder):
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("."):
            require((folder / source).exists() or Path(source).exists(), where, f"{source} does not exist")
        else:
            require(source in composition["volumes"], where, f"volume {source} is not declared")


def main():
    settings = set(Path(sys.argv[1]).read_text().split())
    paths = json.loads(Path("docs/openapi.json").read_text())["paths"]
    folders = sorted(file.parent for file in Path("deploy/kubernetes").glob("*/kustomization.yaml"))
    for folder in folders:
        if folder.name == "base":
            continue
        resources = check_kustomization(folder, settings, paths)
        print(f"{folder}: {len(resources)} resources")
    for files in COMPOSITIONS:
        check_composition(files, settings)
        print(" + ".join(files))
    for error in errors:
        print(error, file=sys.stderr)
    sys.exit(1 if errors else 0)


main()
