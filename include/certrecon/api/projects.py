"""4HSE's projects as the pipeline reads them: the tenants of certificates, links and persons."""

from __future__ import annotations

from dataclasses import dataclass

from certrecon.api.rows import raw_rows, text_of_raw


@dataclass(frozen=True, slots=True)
class Project:
    """A 4HSE project: the tenant of certificates, links and persons.

    Attributes:
        project_id: Its id; `tenant_id` elsewhere.
        name: Its name.
        status: `active`, `suspended`, `pending_delete` or `deleted`.
        project_type: `safety` or `template`.
    """

    project_id: str
    name: str | None
    status: str | None
    project_type: str | None

    @property
    def operational(self) -> bool:
        """Whether `tenants: []` takes it: active and no template (design, *Fine print*)."""
        status, kind = ((text or "").strip().lower() for text in (self.status, self.project_type))
        return status == "active" and kind != "template"


class ProjectRows:
    """Keeps the projects of every page, each once."""

    def __init__(self) -> None:
        """Start with none."""
        self.found: dict[str | None, Project] = {}

    def ids(self, body: bytes) -> list[str | None]:
        """Return the ids of a page's projects."""
        return [text_of_raw(row.get("project_id")) for row in raw_rows(body, "4HSE's list of projects")]

    def take(self, body: bytes) -> list[str | None]:
        """Keep a page's projects and return their ids."""
        ids: list[str | None] = []
        for row in raw_rows(body, "4HSE's list of projects"):
            name, status, kind = (text_of_raw(row.get(key)) for key in ("name", "status", "project_type"))
            project_id = text_of_raw(row.get("project_id"))
            ids.append(project_id)
            self.found[project_id] = Project(project_id or "", name, status, kind)
        return ids
