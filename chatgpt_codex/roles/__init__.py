"""Four roles that hand typed work to each other: Project Manager, Business Analyst, Developer, Reviewer.

| to find out | read |
|---|---|
| what a role takes, asks and gives | `project_manager`, `business_analyst`, `developer`, `reviewer`: one skeleton |
| what the four share | `role` |
| what they hand to each other | `work`, `paths` (where files may be) |
| how ids are followed, work judged and loops ended | `tracing`, `verdict` |
| what goes to the model | `material`, `answer_schema` |
| what people read | `markdown` |
"""

from .business_analyst import BusinessAnalystBlock
from .developer import DeveloperBlock
from .project_manager import ProjectManagerBlock
from .reviewer import ReviewerBlock

__all__ = ["BusinessAnalystBlock", "DeveloperBlock", "ProjectManagerBlock", "ReviewerBlock"]
