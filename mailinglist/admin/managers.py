"""Who may log in here, in the dress of the other pages."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from mailinglist.staff import ChosenRows

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class ManagerAdmin(DjangoUserAdmin, ChosenRows):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    show_full_result_count = False


@admin.register(Group)
class ManagerGroupAdmin(DjangoGroupAdmin, ChosenRows):
    pass
