"""The table of subscribers while a segment filters it: at once or not at all, and longer only where somebody asks for it.

In a million people the few of a segment may lie anywhere, and each is found by looking at mails and lists of many.
"""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import cached_property

from mailinglist.segments import people
from mailinglist.staff import COUNT_CAP, BigChangeList, CappedPaginator
from mailinglist.timeouts import TookTooLong, part, within

#: What the address says beside the segment when somebody wants to wait, and for how many seconds they do.
LONGER, LONGER_SECONDS = "longer", 20.0


class SegmentPaginator(CappedPaginator):
    """Takes it that there are COUNT_CAP people where they cannot be counted in the time of PeopleList."""

    @cached_property
    def count(self) -> int:
        try:
            with part():
                return super().count
        except TookTooLong:
            return COUNT_CAP


class PeopleList(BigChangeList):
    #: The address that looks longer, when this one gave up.
    look_longer = ""
    result_list: Any
    longer_seconds = int(LONGER_SECONDS)

    def get_results(self, request: HttpRequest) -> None:
        if not request.GET.get("segment") or request.method != "GET":
            super().get_results(request)
            return
        try:
            with within(LONGER_SECONDS if LONGER in request.GET else people.QUICK, row_by_row=True):
                super().get_results(request)
                found = len(self.result_list)
        except TookTooLong:
            self.result_list, self.result_count, self.multi_page = self.queryset.none(), 0, False
            self.look_longer = self.get_query_string({LONGER: "1"})
            return
        if self.page_num == 1 and found < self.list_per_page:
            self.result_count, self.multi_page = found, False


def paginator(request: HttpRequest, *arguments: Any, **kwargs: Any) -> CappedPaginator:
    """For the table of this request."""
    kind = SegmentPaginator if request.GET.get("segment") else CappedPaginator
    return kind(*arguments, **kwargs)
