"""AutoGPT's basic blocks: those that need no service, with the same ids and pins as the platform's."""

from collections.abc import Callable
from typing import Any, Final

from ...block_sdk import Block
from .agents import AgentExecutorBlock
from .dictionaries import (
    AddToDictionaryBlock,
    CreateDictionaryBlock,
    DictionaryIsEmptyBlock,
    FindInDictionaryBlock,
    RemoveFromDictionaryBlock,
    ReplaceDictionaryValueBlock,
)
from .human_review import HumanInTheLoopBlock
from .inputs_outputs import (
    AgentDateInputBlock,
    AgentDropdownInputBlock,
    AgentFileInputBlock,
    AgentInputBlock,
    AgentLongTextInputBlock,
    AgentNumberInputBlock,
    AgentOutputBlock,
    AgentShortTextInputBlock,
    AgentTableInputBlock,
    AgentTimeInputBlock,
    AgentToggleInputBlock,
)
from .lists import (
    AddToListBlock,
    ConcatenateListsBlock,
    CreateListBlock,
    FindInListBlock,
    GetListItemBlock,
    ListIsEmptyBlock,
    RemoveFromListBlock,
    ReverseListOrderBlock,
)
from .logic import CalculatorBlock, ConditionBlock, IfInputMatchesBlock, StepThroughItemsBlock
from .text import (
    CombineTextsBlock,
    ExtractTextInformationBlock,
    FillTextTemplateBlock,
    MatchTextPatternBlock,
    TextReplaceBlock,
    TextSplitBlock,
)
from .values import NoteBlock, PrintToConsoleBlock, StoreValueBlock, UniversalTypeConverterBlock

BASIC_BLOCKS: Final[tuple[Callable[[], Block[Any, Any]], ...]] = (
    AddToDictionaryBlock,
    AddToListBlock,
    AgentDateInputBlock,
    AgentDropdownInputBlock,
    AgentExecutorBlock,
    AgentFileInputBlock,
    AgentInputBlock,
    AgentLongTextInputBlock,
    AgentNumberInputBlock,
    AgentOutputBlock,
    AgentShortTextInputBlock,
    AgentTableInputBlock,
    AgentTimeInputBlock,
    AgentToggleInputBlock,
    CalculatorBlock,
    CombineTextsBlock,
    ConcatenateListsBlock,
    ConditionBlock,
    CreateDictionaryBlock,
    CreateListBlock,
    DictionaryIsEmptyBlock,
    ExtractTextInformationBlock,
    FillTextTemplateBlock,
    FindInDictionaryBlock,
    FindInListBlock,
    GetListItemBlock,
    HumanInTheLoopBlock,
    IfInputMatchesBlock,
    ListIsEmptyBlock,
    MatchTextPatternBlock,
    NoteBlock,
    PrintToConsoleBlock,
    RemoveFromDictionaryBlock,
    RemoveFromListBlock,
    ReplaceDictionaryValueBlock,
    ReverseListOrderBlock,
    StepThroughItemsBlock,
    StoreValueBlock,
    TextReplaceBlock,
    TextSplitBlock,
    UniversalTypeConverterBlock,
)

__all__ = ["BASIC_BLOCKS"]
