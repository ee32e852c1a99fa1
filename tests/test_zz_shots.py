import os, random
from datetime import timedelta
import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import sync_playwright
from bounces import incidents, slots
from bounces.models import Event, Incident, ProviderSlot
from mailinglist.models import *
from tests import ses_events as ses
from tests.bounces.helpers import send_to, take
from tests.bounces.outage import *
pytestmark = pytest.mark.django_db(transaction=True)
def test_shots(live_server):
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]="1"
    User.objects.create_superuser("boss","b@a.example","secret-secret")
    refuse(mail_all(history(), OUTAGE), OUTAGE); incidents.watch()
    now=timezone.now()
    d=send_to("ada@post.example", at=now-timedelta(hours=3)); take(ses.full(d, at=now-timedelta(hours=2)))
    take(ses.bounced(send_to("eve@post.example", at=now), at=now))
    take(ses.bounced(send_to("sam@post.example"), subtype="OnAccountSuppressionList", action=""))
    r=random.Random(1)
    for day in range(30):
        for p,n in (("gmail.com",400),("outlook.com",200),("post.example",60),("a-very-long-domain-name-of-a-company.example",20)):
            ProviderSlot.objects.get_or_create(provider=p, starts_at=now.replace(minute=0,second=0,microsecond=0)-timedelta(days=day), defaults=dict(delivered=n, hard=r.randint(0,n//40), soft=r.randint(0,n//30), block=r.randint(0,n//25), delayed=r.randint(0,n//12), complaint=r.randint(0,1)))
    ada=Subscriber.objects.get(email="ada@post.example"); p0=Subscriber.objects.order_by("pk")[0]; sam=Subscriber.objects.get(email="sam@post.example")
    news=MailingList.objects.get(slug="news")
    pages={"dash":"/admin/","events":"/admin/bounces/event/?verdict=bounces","incidents":"/admin/bounces/incident/","incident":f"/admin/bounces/incident/{Incident.objects.get().pk}/change/","providers":"/admin/bounces/providers/","provider":"/admin/bounces/providers/gmail.com/","whatif":reverse("admin:bounces_policy_simulate")+f"?mailing_list={news.pk}&hold_hours=0","ended":"/admin/mailinglist/subscription/","supp":"/admin/mailinglist/suppression/","held":reverse("admin:bounces_recipient",args=[p0.pk]),"ada":reverse("admin:bounces_recipient",args=[ada.pk]),"sam":reverse("admin:bounces_recipient",args=[sam.pk])}
    with sync_playwright() as pw:
        b=pw.chromium.launch(executable_path="/usr/bin/chromium",args=["--no-sandbox","--disable-gpu"])
        for w in (360,1280):
            c=b.new_context(viewport={"width":w,"height":800},base_url=live_server.url); pg=c.new_page()
            pg.goto("/admin/"); pg.fill("input[name=username]","boss"); pg.fill("input[name=password]","secret-secret"); pg.click("button[type=submit]")
            for n,u in pages.items():
                pg.goto(u); pg.screenshot(path=f"/tmp/shots/{n}-{w}.png", full_page=True)
                sw=pg.evaluate("document.documentElement.scrollWidth")
                if sw>w: print("WIDE",n,w,sw)
            c.close()
        b.close()
