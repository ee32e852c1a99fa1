"""Who may log in here, in the dress of the other pages."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from mailinglist.staff import FirstStep, PlainAdmin

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class ManagerAdmin(DjangoUserAdmin, PlainAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    empty_text = "Who may log in here, and what they may do."
    first_step = FirstStep(
        "manage.py createsuperuser makes the first one.", "Add a manager", "auth_user_add", "auth.add_user"
    )


@admin.register(Group)
class ManagerGroupAdmin(DjangoGroupAdmin, PlainAdmin):
    empty_text = (
        "A group is a set of rights with a name, such as writers or support. Managers in it have its rights."
    )
    first_step = FirstStep(
        "Make a group, choose its rights, then put managers into it.",
        "Managers",
        "auth_user_changelist",
        "auth.view_user",
    )
