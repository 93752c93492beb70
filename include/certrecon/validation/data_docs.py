"""Great Expectations' own pages (Data Docs) of one run, as a zip: an option for people who know them.

The report is the document to keep. These pages load style sheets, scripts and a logo from public
addresses when a browser opens them, so they are not self-contained; building them asks nobody.
Great Expectations takes seconds to import, so only the functions import it.
"""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from certrecon.errors import RuleEvaluationError
from certrecon.words import Subject

if TYPE_CHECKING:
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext

SITE = "run"
RUN_FACTS = ("great_expectations_version", "validation_time")
"""What a page needs of the facts of a validation."""

KEPT = (".html", ".css", ".ico")
"""The other files are three megabytes of tutorial pictures and fonts that no page of the site shows."""

EARLIEST_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def _counts(result: Mapping[str, Any]) -> dict[str, Any]:
    rows, found = result["element_count"], result["unexpected_count"]
    return {"element_count": rows, "unexpected_count": found, "unexpected_percent": 100 * found / max(rows, 1)}


def _bounded(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "success": entry["success"],
        "expectation_config": entry["expectation_config"],
        "result": _counts(entry["result"]),
        "meta": {},
        "exception_info": {"raised_exception": False, "exception_message": None, "exception_traceback": None},
    }


def bounded_document(document: str, run_name: str) -> dict[str, Any]:
    """Return a stored validation result without bitmaps, so that its size does not depend on the rows.

    Args:
        document: Great Expectations' validation result of one subject, as `SubjectResult.document`.
        run_name: What the pages call the run.
    """
    stored = json.loads(document)
    kept = {key: stored[key] for key in ("success", "statistics", "suite_name", "suite_parameters")}
    run_id = {"run_name": run_name, "run_time": stored["meta"]["run_id"]["run_time"]}
    meta = {key: stored["meta"][key] for key in RUN_FACTS} | {"run_id": run_id}
    return kept | {"meta": meta, "results": [_bounded(entry) for entry in stored["results"]]}


def _context(folder: Path) -> EphemeralDataContext:
    """Return a context in memory whose one site lies in `folder`."""
    import great_expectations as gx  # noqa: PLC0415
    from great_expectations.data_context.types.base import (  # noqa: PLC0415
        DataContextConfig,
        InMemoryStoreBackendDefaults,
    )

    site: Any = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)},
    }
    defaults = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    config = DataContextConfig(store_backend_defaults=defaults, analytics_enabled=False)
    context = gx.get_context(mode="ephemeral", project_config=config)
    context.add_data_docs_site(SITE, site)
    return context


def _add(context: EphemeralDataContext, document: dict[str, Any]) -> None:
    """Add a validation result and the suite that it links to."""
    from great_expectations.core import ExpectationSuite  # noqa: PLC0415
    from great_expectations.core import expectation_validation_result as results  # noqa: PLC0415
    from great_expectations.data_context.types.resource_identifiers import (  # noqa: PLC0415
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )

    name = document["suite_name"]
    result = results.expectationSuiteValidationResultSchema.load(document)
    suite = ExpectationSuite(name, expectations=[entry["expectation_config"] for entry in document["results"]])
    for expectation in suite.expectations:
        expectation.id = None
    context.suites.add(suite)
    key = ValidationResultIdentifier(ExpectationSuiteIdentifier(name=name), document["meta"]["run_id"], name)
    context.validation_results_store.add(key, result)


def _check(folder: Path, codes: Iterable[str]) -> None:
    """Great Expectations only logs what it cannot render, and leaves it out."""
    pages = "".join(page.read_text(encoding="utf-8") for page in (folder / "validations").rglob("*.html"))
    missing = [code for code in codes if f">{code}<" not in pages]
    if missing or not (folder / "index.html").is_file():
        message = f"Great Expectations left {', '.join(missing) or 'the index'} out of its Data Docs; see the task log."
        raise RuleEvaluationError(message)


def _zipped(folder: Path) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.suffix in KEPT):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EARLIEST_ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return content.getvalue()


def render_data_docs(documents: Mapping[Subject, str], run_name: str) -> bytes:
    """Return a zip with a Data Docs site of one run; unpacked, `index.html` is where to begin.

    Each call builds in a temporary folder and a context of its own, so two runs never share a site.

    Args:
        documents: Great Expectations' stored validation result of each subject, as JSON.
        run_name: What the pages call the run, for example `run-12`.

    Raises:
        RuleEvaluationError: Great Expectations could not render a finding.
    """
    # Importing the rules registers their expectations, and with them the words that a page shows.
    import certrecon.validation.rules  # noqa: F401, PLC0415

    bounded = [bounded_document(document, run_name) for document in documents.values()]
    with tempfile.TemporaryDirectory(prefix="certrecon-data-docs-") as name:
        folder = Path(name)
        context = _context(folder)
        for document in bounded:
            _add(context, document)
        context.build_data_docs(site_names=[SITE])
        _check(folder, [entry["expectation_config"]["meta"]["code"] for one in bounded for entry in one["results"]])
        return _zipped(folder)
